"""fastapi-resumable-stream, served by uvicorn from an environment of its own."""
