from benchmarks.transport.bench import Bench, NotMeasured, Section


def mention_leaks(bench: Bench) -> Section:
    raise NotMeasured("soon")
