"""Our own shape as a textbook has it: a subscription, a list read and a `send` for each viewer."""
