-- Machine files among the licence documents (kind machine_file).

-- The licence key that a machine file opens with. It is wanted at every reading.
ALTER TABLE license_documents ADD COLUMN license_key TEXT;
