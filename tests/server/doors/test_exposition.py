"""The figures as Prometheus reads them, checked with the parser of its own library."""

import math

import msgspec
import pytest
from measured import clustered, measured
from prometheus_client.parser import text_string_to_metric_families

from tertulia.protocol.measures import BUCKETS_S, Latencies, Measures
from tertulia.server.doors.cluster_metrics import CLUSTER_METRICS
from tertulia.server.doors.exposition import expose, metric_names
from tertulia.server.doors.metrics import METRICS


@pytest.fixture(scope="module")
def measures(tmp_path_factory: pytest.TempPathFactory) -> Measures:
    """What a server with a history measures."""
    measures = measured(tmp_path_factory.mktemp("history") / "history.db")
    traffic = msgspec.structs.replace(measures.traffic, sent_bytes=2**60 + 1)
    latencies = Latencies(counts=[1] * (len(BUCKETS_S) + 1), sum_s=0.1 + 0.2)
    return msgspec.structs.replace(
        measures, traffic=traffic, say_to_last_send=latencies, users={"ACTIVO": 7}
    )


@pytest.fixture(scope="module")
def samples(measures):
    """Return the value of each sample by its name and its labels."""
    found = {}
    for family in text_string_to_metric_families(expose(measures).decode()):
        assert family.documentation.endswith("."), family.name
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in found, "a sample comes once"
            found[key] = sample.value
    return found


def test_the_library_reads_every_metric_with_its_kind_and_help(measures):
    metrics = METRICS + CLUSTER_METRICS
    families = list(text_string_to_metric_families(expose(clustered(measures)).decode()))
    for family, metric in zip(families, metrics, strict=True):
        expected = f"tertulia_{metric.name}"
        if metric.kind == "counter":
            expected = expected.removesuffix("_total")
        assert (family.name, family.type) == (expected, metric.kind)
        assert family.documentation == metric.help


def test_the_values_are_those_of_the_figures(samples):
    assert samples["tertulia_sent_bytes_total",] == 2**60 + 1
    assert samples["tertulia_sessions", ("status", "ACTIVO")] == 7
    assert samples["tertulia_sessions", ("status", "OCUPADO")] == 0
    assert samples["tertulia_connections", ("door", "native"), ("state", "registered")] == 0
    assert samples["tertulia_healthy",] == 1


def test_a_histogram_counts_up_to_each_bound(samples):
    name = "tertulia_say_to_last_send_seconds"
    bounds = [*map("{:g}".format, BUCKETS_S), "+Inf"]
    counts = [samples[f"{name}_bucket", ("le", bound)] for bound in bounds]
    assert counts == list(range(1, len(BUCKETS_S) + 2))
    assert samples[f"{name}_count",] == counts[-1]
    assert samples[f"{name}_sum",] == 0.1 + 0.2


def test_every_sample_has_a_known_name_and_there_are_few(samples, measures):
    names = {key[0] for key in samples}
    # Nothing was committed yet, so that has no time.
    assert metric_names() - names == {"tertulia_history_last_commit_timestamp_seconds"}
    assert names <= metric_names()
    assert len(samples) < 250
    assert all(math.isfinite(value) for value in samples.values())


def test_without_a_history_it_has_no_figures(measures):
    text = expose(msgspec.structs.replace(measures, history=None)).decode()
    assert "\ntertulia_history_size_bytes " not in text
    list(text_string_to_metric_families(text))


def test_a_server_alone_has_none_of_the_metrics_of_nodes(measures):
    assert b"cluster" not in expose(measures)


def test_a_name_is_quoted_as_the_library_reads_it(measures):
    odd = clustered(measures, node='a"\\\n')
    families = {one.name: one for one in text_string_to_metric_families(expose(odd).decode())}
    [info] = families["tertulia_cluster_info"].samples
    assert info.labels["node"] == 'a"\\\n'
