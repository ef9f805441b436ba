"""Reads an export as an analyst would, with DuckDB, and compares it with `purser fees`.

Usage: compare.py PARQUET_DIR CSV_DIR FEES_JSON
"""

import json
import sys

import duckdb


def fees(path):
    with open(path, encoding="utf-8") as file:
        workers = json.load(file)["workers"]
    return {worker["worker"]: int(worker["net_wei"]) for worker in workers}


def compare(what, found, expected):
    found = {worker: int(net) for worker, net in found if net != 0}
    if found != expected:
        differing = {w for w in found.keys() | expected.keys() if found.get(w) != expected.get(w)}
        sys.exit(f"{what}: differs from `purser fees` for {sorted(differing)}")
    print(f"{what}: {len(found)} workers, {sum(found.values())} wei, as `purser fees` has it")


def main(parquet, csv, fees_path):
    expected = fees(fees_path)
    db = duckdb.connect()
    events = f"read_parquet('{parquet}/**/*.parquet', hive_partitioning = false)"
    types = dict((row[0], row[1]) for row in db.sql(f"describe select * from {events}").fetchall())
    for column, kind in [
        ("amount", "DECIMAL(38,0)"),
        ("net", "DECIMAL(38,0)"),
        ("net_text", "VARCHAR"),
        ("recorded_at", "TIMESTAMP WITH TIME ZONE"),
        ("position", "BIGINT"),
    ]:
        if types[column] != kind:
            sys.exit(f"{column} is {types[column]}, not {kind}")
    by_worker = "where worker is not null and net is not null group by worker"
    compare("parquet", db.sql(f"select worker, sum(net) from {events} {by_worker}").fetchall(), expected)
    texts = f"select worker, sum(net_text::decimal(38,0)) from {events} {by_worker}"
    compare("parquet, texts", db.sql(texts).fetchall(), expected)
    positions = f"select count(distinct position), max(position), min(position) from {events}"
    count, last, first = db.sql(positions).fetchall()[0]
    if (first, count) != (1, last):
        sys.exit(f"positions {first} to {last}, but {count} of them")

    rows = f"read_csv('{csv}/**/*.csv', all_varchar = true, hive_partitioning = false)"
    paid = f"""
        with events as (select *, greatest(amount_wei::hugeint, 0) as fee from {rows}
                        where type in ('job_processed', 'job_reattributed')),
        moves as (
            select worker, fee - commission_wei::hugeint as net from events where worker <> ''
            union all
            select data->>'from_worker',
                   -(fee - fee * (data->>'from_commission_bps')::hugeint // 10000)
            from events where data->>'from_worker' is not null)
        select worker, sum(net) from moves group by worker"""
    compare("csv", db.sql(paid).fetchall(), expected)
    in_csv = db.sql(f"select count(*) from {rows}").fetchall()[0][0]
    if in_csv != count:
        sys.exit(f"{in_csv} events as csv, {count} as parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
