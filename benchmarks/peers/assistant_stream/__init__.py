"""assistant-stream (Python) with its resumable part, served by uvicorn from an environment of its own."""
