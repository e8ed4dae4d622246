"""Video files to features: one picture and one patch of sound a second, through networks, PCA and the 8-bit code."""
