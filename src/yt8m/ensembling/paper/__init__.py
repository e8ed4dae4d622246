"""The paper's schemes: equal weights, one a model, one a model and class."""
