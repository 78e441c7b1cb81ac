"""The page in a real browser, on a real server, worker and Redis; only the model is scripted."""
