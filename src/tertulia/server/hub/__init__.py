"""The rules of the chat and the order of what happens in it: no thread, no socket."""
