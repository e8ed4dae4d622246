"""Ensembling (section 3.3): a score is the weighted sum of the members' scores.

Schemes, which say how the weights are found, are files found by their names: in `paper/` the paper's three, in
`beyond/` others. A scheme's file has one function `fit(holdout, seed) -> (models, classes) weights`; what there is to
learn from is a `fitting.Holdout`. A file may say `POWER = p`: then scores are raised to p before the sum, and the sum
to 1/p.
"""
