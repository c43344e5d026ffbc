"""What answers look like: one model for every JSON answer, for the OpenAPI document and the tests that hold answers to
it. Nothing is validated against these while a call is served.
"""
