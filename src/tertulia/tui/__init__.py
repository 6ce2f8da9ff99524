"""The full-screen face of the client: widgets, a model without widgets, and the app.

It runs on the event loop's thread, apart from the parts that say otherwise.
"""
