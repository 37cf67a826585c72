-- A merge waits until it makes a part ten times as large as the largest it takes in, instead of five times: a row is written
-- fewer times until its part is large, for somewhat more parts at a time.
ALTER TABLE usage_events_v1 MODIFY SETTING merge_selector_base = 10;
