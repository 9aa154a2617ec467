"""Small tools that know nothing of series, texts or networks."""
