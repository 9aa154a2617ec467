"""Windows over series: scaling, normalization, splits, and what a fit learns from."""
