"""The conformance suite: is an optimizer in step with its equations?"""
