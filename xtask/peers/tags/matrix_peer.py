"""Asks ClickHouse's bitmaps (groupBitmap) what was asked of the matrix of entities and tags.

usage: matrix_peer.py FOLDER

Takes FOLDER/pairs.bin (for each pair two bytes of the tag and four of the entity, little end first) and
FOLDER/questions.jsonl, and prints one line of JSON for each kind of question: median and the 99th of a hundred, in
milliseconds of wall time, and the sum of all answers. Making the table is not counted.
"""

import json
import statistics
import sys
import time
from itertools import groupby

from chdb import session

FOLDER = sys.argv[1]
connection = session.Session()
connection.query("create database b")
# Each tag is found without reading others.
connection.query(
    "create table b.matrix (tag UInt16, carriers AggregateFunction(groupBitmap, UInt32)) engine = MergeTree "
    "order by tag settings index_granularity = 1, index_granularity_bytes = 0, min_bytes_for_wide_part = 0"
)
connection.query(
    "insert into b.matrix select tag, groupBitmapState(entity) "
    f"from file('{FOLDER}/pairs.bin', 'RowBinary', 'tag UInt16, entity UInt32') group by tag settings max_threads = 2"
)
connection.query("optimize table b.matrix final")


def listed(tags):
    return ", ".join(map(str, tags))


def question(asked):
    every, some, without = asked["all"], asked["any"], asked["without"]
    if "entities" in asked:
        entities = listed(asked["entities"])
        return (
            f"with (select groupBitmapState(toUInt32(arrayJoin([{entities}])))) as wanted select sum(n) from "
            "(select bitmapAndCardinality(carriers, wanted) as n from b.matrix order by n desc limit 20)"
        )
    if every and not some:
        return f"select groupBitmapAnd(carriers) from b.matrix where tag in ({listed(every)})"
    ors = [f"(select groupBitmapOrState(carriers) from b.matrix where tag in ({listed(tags)}))" for tags in some]
    joined = ors[0] if len(ors) == 1 else f"bitmapAnd({ors[0]}, {ors[1]})"
    for tag in without:
        joined = f"bitmapAndnot({joined}, (select carriers from b.matrix where tag = {tag}))"
    return f"select bitmapCardinality({joined})"


with open(f"{FOLDER}/questions.jsonl", encoding="utf-8") as lines:
    questions = [json.loads(line) for line in lines]
for kind, asked in groupby(questions, key=lambda question: question["kind"]):
    times, total = [], 0
    for one in asked:
        query = question(one) + " settings max_threads = 1, max_query_size = 10000000"
        started = time.perf_counter()
        total += int(connection.query(query, "CSV").data().strip())
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    last = times[min(len(times) * 99 // 100, len(times) - 1)]
    print(json.dumps({"kind": kind, "median": statistics.median(times), "p99": last, "sum": total}))
