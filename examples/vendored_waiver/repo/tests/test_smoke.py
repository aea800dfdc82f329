from core.scheduler import next_job


def test_the_smallest_job_is_next():
    assert next_job([3, 1, 2]) == 1
