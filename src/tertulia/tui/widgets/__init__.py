"""The widgets and screens of the full screen.

They show the model and post messages; they never call the app or the controller. They run on the
event loop's thread.
"""
