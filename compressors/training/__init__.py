"""Training of the models that shorten. Nothing here is needed to run laconic."""
