"""The web process: the JSON API, the WebSocket and SSE, and the built page. README.md shows the rooms."""
