-- Makes the days of a copy of the read model a table again, as docs/how-to/explore.md says. The read model keeps runs of
-- days that are alike and shows them as a view; Datasette links, sorts and facets rows of a table.
BEGIN;
CREATE TABLE each_day AS SELECT * FROM days ORDER BY patient, episode, date;
DROP VIEW days;
DROP TABLE day_runs;
ALTER TABLE each_day RENAME TO days;
CREATE UNIQUE INDEX days_by_patient ON days (patient, episode, date);
COMMIT;
VACUUM;
