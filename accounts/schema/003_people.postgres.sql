-- People who act on the books, and their roles (domain/contracts/permissions.ts). A person is a principal as a source is,
-- so a name belongs to one of them only. Who held which role when stands in the audit log.
-- Writer: accounts/people.ts. Readers: reconcile's sign-off, which checks in the database who signs.
ALTER TABLE principals DROP CONSTRAINT principals_kind_check;
ALTER TABLE principals ADD CONSTRAINT principals_kind_check CHECK (kind IN ('source', 'person'));

CREATE TABLE principal_roles (
  principal_id text NOT NULL REFERENCES principals,
  role         text NOT NULL CHECK (role IN ('preparer', 'reviewer', 'operator', 'reopener')),
  granted_at   timestamptz NOT NULL,
  PRIMARY KEY (principal_id, role)
);
