"""A stream straight through, from the model to one client: what there is to pay for resuming is the difference."""
