"""Following streams: over the WebSocket, over SSE and by reading, and who else looks on. The contract: PROTOCOL.md."""
