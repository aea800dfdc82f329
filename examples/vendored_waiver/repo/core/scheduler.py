"""The scheduler."""

from core.vendor.heap import smallest


def next_job(jobs):
    return smallest(jobs)
