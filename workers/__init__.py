"""The process that asks models: an RQ worker that runs many generations at once. Start with README.md."""
