"""Windows over series: scaling, normalization, splits, and problems to learn."""
