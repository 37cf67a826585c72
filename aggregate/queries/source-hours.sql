-- Per source and usage hour: what its manifest says against what arrived, as distinct identities. A rejected record
-- counts where its source, id and hour can be read, once, and not beside an accepted copy of the same identity; its
-- quantity counts as 0 where it is what the record was rejected for. Voids carry no quantity. Losing copies do not
-- count, whether usage_conflicts_v1 names them or they are too new to stand there; the latter are found here.
SELECT source, toUnixTimestamp(hour) AS hour,
  toString(sum(claimed)) AS said, toString(sum(arrived)) AS came,
  toString(sum(claimed_quantity)) AS said_quantity, toString(sum(arrived_quantity)) AS came_quantity,
  sum(manifests) AS manifest_count
FROM (
  SELECT source, hour, events AS claimed, quantity AS claimed_quantity, toUInt64(0) AS arrived,
    toDecimal256(0, 12) AS arrived_quantity, 1 AS manifests
  FROM usage_manifests_v1 FINAL
  WHERE hour >= {from:DateTime64(3, 'UTC')} AND hour < {to:DateTime64(3, 'UTC')}
  UNION ALL
  SELECT toString(source), toStartOfHour(time) AS hour, toUInt64(0), toDecimal256(0, 12), count(),
    sum(if(type = 'void', toDecimal256(0, 12), toDecimal256(quantity, 12))), 0
  FROM usage_events_v1 FINAL
  WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND (id_hash, type, time, quantity) NOT IN (
      SELECT id_hash, type, time, quantity
      FROM (
        SELECT id_hash, type, time, quantity, kafka_offset, min(kafka_offset) OVER (PARTITION BY id_hash) AS first
        FROM usage_events_v1 FINAL
        WHERE time >= {from:DateTime64(3, 'UTC')} - INTERVAL 2 DAY
          AND time < {to:DateTime64(3, 'UTC')} + INTERVAL 2 DAY
          AND id_hash IN (
          SELECT id_hash
          FROM usage_events_v1
          WHERE time >= {from:DateTime64(3, 'UTC')} - INTERVAL 2 DAY
            AND time < {to:DateTime64(3, 'UTC')} + INTERVAL 2 DAY
          GROUP BY id_hash
          HAVING min(time) != max(time) OR min(quantity) != max(quantity) OR min(type) != max(type)
        )
      )
      WHERE kafka_offset > first
    )
    AND (id_hash, toString(type), time, quantity) NOT IN (SELECT id_hash, type, time, quantity FROM usage_conflicts_v1)
  GROUP BY source, hour
  UNION ALL
  SELECT source, toStartOfHour(assumeNotNull(happened)) AS hour, toUInt64(0), toDecimal256(0, 12), count(),
    sum(carried), 0
  FROM (
    SELECT subject, source, id, any(at) AS happened, any(usable_quantity) AS carried
    FROM (
      SELECT subject, source, base64Decode(payload) AS line, JSONExtractString(line, 'id') AS id,
        parseDateTime64BestEffortOrNull(JSONExtractString(line, 'time'), 3, 'UTC') AS at,
        JSONExtractString(line, 'quantity') AS quantity_text,
        if(reason IN ('QUANTITY_INVALID', 'QUANTITY_NOT_WHOLE') OR JSONExtractString(line, 'type') = 'void',
          toDecimal256(0, 12), toDecimal256OrZero(if(quantity_text = '', '1', quantity_text), 12)) AS usable_quantity
      FROM usage_rejected_v1 FINAL
      WHERE reason IN ('SUBJECT_INVALID', 'TYPE_UNKNOWN', 'QUANTITY_INVALID', 'QUANTITY_NOT_WHOLE', 'VOID_INVALID',
          'KEY_MISMATCH', 'TIME_TOO_OLD', 'TIME_IN_FUTURE')
        AND arrived_at >= {from:DateTime64(3, 'UTC')} - INTERVAL 2 DAY
    )
    WHERE source != '' AND id != '' AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
      AND reinterpretAsUInt128(sipHash128(subject, source, id)) NOT IN (
        SELECT id_hash
        FROM usage_events_v1
        WHERE time >= {from:DateTime64(3, 'UTC')} - INTERVAL 2 DAY AND time < {to:DateTime64(3, 'UTC')} + INTERVAL 2 DAY
      )
    GROUP BY subject, source, id
  )
  GROUP BY source, hour
)
GROUP BY source, hour
HAVING sum(claimed) != sum(arrived) OR sum(claimed_quantity) != sum(arrived_quantity) OR sum(manifests) = 0
ORDER BY hour, source
