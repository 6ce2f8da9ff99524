"""The full-screen face of the client: widgets that show, and an app that puts them together."""
