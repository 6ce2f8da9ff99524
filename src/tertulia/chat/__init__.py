"""The parts that all faces share: requests, events, commands and texts for people.

It knows no toolkit and no screen. A face calls it in its one thread.
"""
