"""Series as they come from users: containers, indexes, missing values, covariates."""
