"""Counts how many entries fulfil each rule, in an engine that is not ours.

usage: peers.py FOLDER (duckdb|clickhouse|polars|joined) RULES AT_ONCE

Takes FOLDER/part.parquet and the first RULES rules that workload.py wrote, AT_ONCE rules in one query, on two threads, and
prints one line of JSON: processor seconds, wall seconds, the counts' checksum. Loading the entries is not counted.
`joined` holds the rules as rows of a table, joined to the entries on one part of each, in DuckDB.
"""

import json
import resource
import sys
import time

FOLDER, ENGINE, RULES, AT_ONCE = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5])
ENTRIES = f"{FOLDER}/part.parquet"
LARGEST = 2**31 - 1
with open(f"{FOLDER}/rules.jsonl", encoding="utf-8") as lines:
    WRITTEN = [json.loads(line) for _, line in zip(range(RULES), lines)]


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def chunks():
    return (WRITTEN[first : first + AT_ONCE] for first in range(0, RULES, AT_ONCE))


def duckdb():
    import duckdb as engine

    connection = engine.connect()
    connection.execute("set threads = 2")
    connection.execute(f"create table entries as from '{ENTRIES}'")

    def counted():
        for chunk in chunks():
            columns = ", ".join(f"count(*) filter (where {rule['sql']})" for rule in chunk)
            yield from connection.execute(f"select {columns} from entries").fetchone()

    return counted


def clickhouse():
    from chdb import session

    connection = session.Session()
    connection.query("create database b")
    connection.query(f"create table b.entries engine = Memory as select * from file('{ENTRIES}')")
    settings = "max_threads=2, max_ast_elements=10000000, max_expanded_ast_elements=10000000, max_query_size=100000000"

    def counted():
        for chunk in chunks():
            columns = ", ".join(f"countIf({rule['sql']})" for rule in chunk)
            answer = connection.query(f"select {columns} from b.entries settings {settings}", "CSV").data()
            yield from map(int, answer.strip().split(","))

    return counted


def polars():
    import polars as engine

    table = engine.read_parquet(ENTRIES).rechunk()

    def expression(parts):
        condition = None
        for name, kind, *rest in parts:
            column = engine.col(name)
            if kind == "prefix":
                one = column.str.starts_with(rest[0])
            elif kind == "in":
                one = column.is_in(rest[0])
            elif rest[0] == rest[1]:
                one = column == rest[0]
            elif rest[1] == LARGEST:
                one = column >= rest[0]
            else:
                one = column <= rest[1] if rest[0] == 0 else column.is_between(*rest)
            condition = one if condition is None else condition & one
        return condition.sum()

    def counted():
        for chunk in chunks():
            columns = [expression(rule["parts"]).alias(str(at)) for at, rule in enumerate(chunk)]
            yield from table.lazy().select(columns).collect().row(0)

    return counted


def joined():
    """Each rule stands once for each value of its key; what else it asks is compared row by row of the join."""
    import duckdb as engine

    connection = engine.connect()
    connection.execute("set threads = 2")
    connection.execute(f"create table entries as from '{ENTRIES}'")
    text = connection.execute("select typeof(commodity_code) from entries limit 1").fetchone()[0] == "VARCHAR"
    keyed = {}
    for number, rule in enumerate(WRITTEN):
        keys, rest = key_of(rule["parts"], text)
        for place, value in keys[1]:
            keyed.setdefault((keys[0], place), []).append((number, value, rest))
    for at, (_, rows) in enumerate(sorted(keyed.items())):
        fill(connection, at, rows, text)
    connection.execute("checkpoint")

    def counted():
        counts = [0] * RULES
        for at, (key, _) in enumerate(sorted(keyed.items())):
            for number, count in connection.execute(query(at, key)).fetchall():
                counts[number] += count
        yield from counts

    return counted


BOUNDED = ("mass", "value", "unit_value", "packages", "hour", "mode", "channel", "new_trader", "transit")
LISTED = ("commodity_code", "origin", "destination", "port", "procedure")


def key_of(parts, text):
    """The column and the values that a rule is joined on, and its other parts."""

    def keys(name, kind, *rest):
        if kind == "in":
            return [("commodity_code" if name == "commodity_code" else name, value) for value in rest[0]]
        if kind == "prefix":
            return [(f"left(commodity_code, {len(rest[0])})", rest[0])]
        low, high = rest
        if low == high:
            return [(name, low)]
        width = high - low + 1
        return [(f"commodity_code // {width}", low // width)]

    order = {name: at for at, name in enumerate(("commodity_code", "origin", "port", "destination", "procedure"))}
    chosen = min((part for part in parts if part[0] in LISTED), key=lambda part: order[part[0]])
    return (chosen[0], keys(*chosen)), [part for part in parts if part is not chosen]


def fill(connection, at, rows, text):
    import pandas

    table = {"rule": [row[0] for row in rows], "own": [row[1] for row in rows]}
    for name in BOUNDED + LISTED:
        found = [next((part for part in row[2] if part[0] == name), None) for row in rows]
        if name in BOUNDED:
            table[f"{name}_low"] = [part[2] if part else None for part in found]
            table[f"{name}_high"] = [part[3] if part else None for part in found]
        else:
            table[f"{name}_prefix"] = [part[2] if part and part[1] == "prefix" else None for part in found]
            table[f"{name}_in"] = [listed(part, text) for part in found]
    frame = pandas.DataFrame(table)
    connection.execute(f"create table rules{at} as select * from frame")


def listed(part, text):
    if part is None or part[1] == "prefix":
        return None
    if part[1] == "in":
        return part[2]
    return list(range(part[2], part[3] + 1)) if part[2] != part[3] else [part[2]]


def query(at, key):
    conditions = [f"e.{key[1]} = r.own" if "(" not in key[1] else f"{key[1]} = r.own"]
    for name in BOUNDED:
        conditions.append(f"(r.{name}_low is null or e.{name} between r.{name}_low and r.{name}_high)")
    for name in LISTED:
        conditions.append(f"(r.{name}_in is null or list_contains(r.{name}_in, e.{name}))")
        if name == "commodity_code":
            conditions.append(f"(r.{name}_prefix is null or starts_with(e.{name}::varchar, r.{name}_prefix))")
    return f"select r.rule, count(*) from entries e join rules{at} r on {' and '.join(conditions)} group by r.rule"


def checksum(counts):
    factor = 0x9E3779B97F4A7C15
    return sum((at + 1) * factor * (int(count) + 1) for at, count in enumerate(counts)) % 2**64


COUNTED = {"duckdb": duckdb, "clickhouse": clickhouse, "polars": polars, "joined": joined}[ENGINE]()
began, used = time.perf_counter(), processor_seconds()
COUNTS = list(COUNTED())
print(
    json.dumps(
        {
            "wall_s": time.perf_counter() - began,
            "cpu_s": processor_seconds() - used,
            "matches": sum(map(int, COUNTS)),
            "checksum": f"{checksum(COUNTS):016x}",
        }
    )
)
