"""Mail."""


def subject(name):
    return "Hello " + name
