-- SPDX-License-Identifier: Apache-2.0
--
-- Whose an object is: the label of the files that declare it; NULL: of none.
ALTER TABLE port ADD COLUMN owner TEXT CHECK (length(owner) BETWEEN 1 AND 31);
ALTER TABLE cluster ADD COLUMN owner TEXT
    CHECK (length(owner) BETWEEN 1 AND 31);
ALTER TABLE broker ADD COLUMN owner TEXT
    CHECK (length(owner) BETWEEN 1 AND 31);
ALTER TABLE listener ADD COLUMN owner TEXT
    CHECK (length(owner) BETWEEN 1 AND 31);
ALTER TABLE rule ADD COLUMN owner TEXT CHECK (length(owner) BETWEEN 1 AND 31);
