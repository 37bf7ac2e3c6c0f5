"""Aggregates over windows of days for each enterprise, in an engine that is not ours.

usage: aggregates.py FOLDER columns
       aggregates.py FOLDER (duckdb|clickhouse|polars) DAY

`columns` writes the columns of FOLDER/entries.parquet, which workload.py made, each as 64-bit numbers, lowest byte
first, into FOLDER/NAME.i64 for those who read no Parquet.

The engines compute 148 aggregates as of DAY for each enterprise with entries in the 90 days before: within 7, 30 and 90
days, of entries that fulfil each of twelve conditions, their number, the sums of value and mass and the largest unit
value; how many different codes, origins, ports and vehicles within 90 days. Then mean and standard deviation of the 36
sums of value among enterprises of one chapter (the highest one that an enterprise declared), and of 159 tags on all
that how many enterprises carry them. One thread; prints one line of JSON: processor seconds, the checksum of the
tags' counts, and that of all aggregates with the enterprises' numbers mixed in. Loading the entries and the second
checksum are not measured.
"""

import json
import os
import resource
import sys

os.environ["POLARS_MAX_THREADS"] = "1"

DAYS = (7, 30, 90)
CONDITIONS = (
    "1 = 1", "new_trader = 1", "transit = 1", "channel >= 1", "value >= 1000000", "unit_value <= 100",
    "commodity_code >= 840000 and commodity_code < 860000", "origin = 3", "hour < 6", "mode = 2", "procedure = 4",
    "packages >= 500",
)
DIFFERENT = ("commodity_code", "origin", "port", "vehicle")
#: Numbers of the aggregates: four for each window and condition.
COUNTS, SUMS, MASSES = range(0, 144, 4), range(1, 144, 4), range(2, 144, 4)


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def aggregates(day, table, different, wide):
    columns = []
    for days in DAYS:
        for condition in CONDITIONS:
            when = f"second >= {(day - days) * 86_400} and {condition}"
            columns += [f"sum(case when {when} then 1 else 0 end)"]
            columns += [f"sum(case when {when} then cast({name} as {wide}) else 0 end)" for name in ("value", "mass")]
            columns += [f"max(case when {when} then unit_value else 0 end)"]
    columns += [different.format(name) for name in DIFFERENT]
    listed = ", ".join(f"{column} f{at}" for at, column in enumerate(columns))
    within = f"second >= {(day - max(DAYS)) * 86_400} and second < {day * 86_400}"
    return f"select enterprise, max(CHAPTER) chapter, {listed} from {table} where {within} group by enterprise"


def tags():
    yield from (f"f{at} >= 3" for at in COUNTS)
    yield from (f"f{at} > 1000000" for at in SUMS)
    yield from (f"f{at} > m{at} + 3 * s{at}" for at in SUMS)
    yield from (f"f{at} * 5 > f0 and f{at} > 1" for at in COUNTS[1:12])
    yield from (f"f{at} >= 8" for at in range(144, 148))
    yield from (f"f{at} > 100000" for at in MASSES)


def peers(table):
    listed = ", ".join(f"avg(f{at}) m{at}, coalesce(stddev_samp(f{at}), 0) s{at}" for at in SUMS)
    return f"select chapter, {listed} from {table} group by chapter"


def counted(table, groups):
    listed = ", ".join(f"sum(case when {tag} then 1 else 0 end)" for tag in tags())
    return f"select {listed} from {table} join {groups} using (chapter)"


def whole(query, cached, groups):
    """One query for everything, which is cheaper for both engines than tables between its steps."""
    return f"with a as {cached} ({query}), p as ({groups}) {counted('a', 'p')}"


def mixed(query, wide):
    listed = ", ".join(f"sum(cast(f{at} as {wide}) * (enterprise % 251 + 1))" for at in range(148))
    return f"with a as ({query}) select {listed} from a"


def duckdb(folder, day):
    import duckdb as engine

    connection = engine.connect()
    connection.execute("set threads = 1")
    connection.execute(f"create table entries as from '{folder}/entries.parquet'")

    query = aggregates(day, "entries", "count(distinct {})", "bigint").replace("CHAPTER", "commodity_code // 10000")
    one = lambda query: lambda: connection.execute(query).fetchone()
    return one(whole(query, "materialized", peers("a"))), one(mixed(query, "hugeint"))


def clickhouse(folder, day):
    from chdb import session

    connection = session.Session()
    connection.query("create database b")
    connection.query(f"create table b.entries engine = Memory as select * from file('{folder}/entries.parquet')")
    settings = " settings max_threads=1, max_query_size=100000000, max_ast_elements=10000000"

    def numbers(query):
        return [int(text) for text in connection.query(query + settings, "CSV").data().strip().split(",")]

    query = aggregates(day, "b.entries", "uniqExact({})", "Int64").replace("CHAPTER", "intDiv(commodity_code, 10000)")
    groups = peers("a").replace("stddev_samp", "stddevSampStable")
    return lambda: numbers(whole(query, "", groups)), lambda: numbers(mixed(query, "Int128"))


def polars(folder, day):
    import polars as engine

    table = engine.read_parquet(f"{folder}/entries.parquet").rechunk()
    made = {}
    column = engine.col

    def answer():
        holds = [
            engine.lit(True), column("new_trader") == 1, column("transit") == 1, column("channel") >= 1,
            column("value") >= 1_000_000, column("unit_value") <= 100,
            (column("commodity_code") >= 840_000) & (column("commodity_code") < 860_000), column("origin") == 3,
            column("hour") < 6, column("mode") == 2, column("procedure") == 4, column("packages") >= 500,
        ]
        columns = []
        for days in DAYS:
            for hold in holds:
                when = (column("second") >= (day - days) * 86_400) & hold
                columns.append(when.cast(engine.Int64).sum())
                columns += [engine.when(when).then(column(name).cast(engine.Int64)).otherwise(0).sum() for name in ("value", "mass")]
                columns.append(engine.when(when).then(column("unit_value")).otherwise(0).max())
        columns += [column(name).n_unique() for name in DIFFERENT]
        columns = [one.alias(f"f{at}") for at, one in enumerate(columns)]
        columns.append((column("commodity_code") // 10_000).max().alias("chapter"))
        within = (column("second") >= (day - max(DAYS)) * 86_400) & (column("second") < day * 86_400)
        made["a"] = table.lazy().filter(within).group_by("enterprise").agg(columns).collect()
        groups = made["a"].lazy().group_by("chapter").agg(
            [column(f"f{at}").mean().alias(f"m{at}") for at in SUMS]
            + [column(f"f{at}").std().fill_null(0).alias(f"s{at}") for at in SUMS]
        )
        f = lambda at: column(f"f{at}")
        carried = [f(at) >= 3 for at in COUNTS] + [f(at) > 1_000_000 for at in SUMS]
        carried += [f(at) > column(f"m{at}") + 3 * column(f"s{at}") for at in SUMS]
        carried += [(f(at) * 5 > f(0)) & (f(at) > 1) for at in COUNTS[1:12]]
        carried += [f(at) >= 8 for at in range(144, 148)] + [f(at) > 100_000 for at in MASSES]
        joined = made["a"].lazy().join(groups, on="chapter")
        return joined.select([one.sum().alias(str(at)) for at, one in enumerate(carried)]).collect().row(0)

    def all_of_them():
        weight = (column("enterprise") % 251 + 1).cast(engine.Int128)
        return made["a"].select([(column(f"f{at}").cast(engine.Int128) * weight).sum() for at in range(148)]).row(0)

    return answer, all_of_them


def checksum(counts):
    factor = 0x9E3779B97F4A7C15
    return sum((at + 1) * factor * (int(count) + 1) for at, count in enumerate(counts)) % 2**64


def write_columns(folder):
    import numpy
    import pyarrow.parquet as parquet

    table = parquet.read_table(f"{folder}/entries.parquet")
    for name in table.column_names:
        table[name].to_numpy().astype(numpy.dtype("<i8")).tofile(f"{folder}/{name}.i64")


if sys.argv[2] == "columns":
    write_columns(sys.argv[1])
else:
    ANSWER, ALL = {"duckdb": duckdb, "clickhouse": clickhouse, "polars": polars}[sys.argv[2]](sys.argv[1], int(sys.argv[3]))
    USED = processor_seconds()
    COUNTED = list(ANSWER())
    USED = processor_seconds() - USED
    print(json.dumps({"cpu_s": USED, "checksum": f"{checksum(COUNTED):016x}", "aggregates": f"{checksum(ALL()):016x}"}))
