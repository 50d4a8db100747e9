-- Masked faces by label, kind of mask and wear, with what they cover, from a result's table:
--
--   maskgen table masked/celeba celeba.parquet
--   duckdb -c "SET VARIABLE table_file = 'celeba.parquet'" -f examples/by_label.sql
SELECT
    label,
    kind,
    wear,
    count(*) AS faces,
    count(*) FILTER (wear_agrees) AS confirmed,
    round(avg(coverage_nose), 3) AS nose,
    round(avg(coverage_mouth), 3) AS mouth,
    round(avg(occluded), 3) AS hidden
FROM read_parquet(getvariable('table_file'))
WHERE status = 'masked'
GROUP BY ALL
ORDER BY ALL;
