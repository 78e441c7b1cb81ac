"""Where answers come from. `source.py` says what a source promises; `openai_chat.py` is the one there is."""
