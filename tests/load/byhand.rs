//! The plans, written by hand until `lockkeeper plan` makes them.

pub fn plan(title: &str) -> Vec<String> {
    let wrapped = |sql: &&str| match sql.find("SET LOCAL") {
        Some(at) if !sql.contains("BEGIN; SET LOCAL") => format!("{}BEGIN; {}; COMMIT;", &sql[..at], &sql[at..]),
        _ => (*sql).to_owned(),
    };
    raw(title).iter().map(wrapped).collect()
}

fn raw(title: &str) -> Vec<&'static str> {
    match title {
        "rename a column" => vec![
"BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE users ADD COLUMN email_address text;
CREATE FUNCTION users_email_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.email_address IS NULL THEN NEW.email_address := NEW.email; ELSE NEW.email := NEW.email_address; END IF;
  ELSIF NEW.email IS DISTINCT FROM OLD.email THEN NEW.email_address := NEW.email;
  ELSIF NEW.email_address IS DISTINCT FROM OLD.email_address THEN NEW.email := NEW.email_address;
  ELSIF NEW.email_address IS NULL THEN NEW.email_address := NEW.email;
  END IF; RETURN NEW; END $$;
CREATE TRIGGER zz_sync BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION users_email_sync(); COMMIT;",
"DO $$ DECLARE lo int8 := 0; hi int8; BEGIN LOOP SELECT max(id) INTO hi FROM (SELECT id FROM users WHERE id > lo ORDER BY id LIMIT 5000) s; EXIT WHEN hi IS NULL;
UPDATE users SET email = email WHERE id > lo AND id <= hi AND email_address IS NULL; lo := hi; COMMIT; END LOOP; END $$;",
"CREATE UNIQUE INDEX CONCURRENTLY users_email_address_key ON users (email_address);",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE users ADD CONSTRAINT nn CHECK (email_address IS NOT NULL) NOT VALID",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE users VALIDATE CONSTRAINT nn",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE users ALTER email_address SET NOT NULL; ALTER TABLE users DROP CONSTRAINT nn",
"-- lockkeeper: deploy code that reads and writes only email_address
-- lockkeeper: assert SELECT NOT EXISTS (SELECT FROM users WHERE email_address IS DISTINCT FROM email)
SET LOCAL lock_timeout = '2s'; DROP TRIGGER zz_sync ON users; ALTER TABLE users DROP COLUMN email; DROP FUNCTION users_email_sync()",
],
"change the type of a column" => vec![
"SET LOCAL lock_timeout = '2s'; ALTER TABLE payments ADD COLUMN amount_new bigint;
CREATE FUNCTION pay_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.amount_new IS NULL THEN NEW.amount_new := NEW.amount; ELSE NEW.amount := NEW.amount_new; END IF;
  ELSIF NEW.amount IS DISTINCT FROM OLD.amount THEN NEW.amount_new := NEW.amount;
  ELSIF NEW.amount_new IS DISTINCT FROM OLD.amount_new THEN NEW.amount := NEW.amount_new;
  ELSIF NEW.amount_new IS NULL THEN NEW.amount_new := NEW.amount;
  END IF; RETURN NEW; END $$;
CREATE TRIGGER zz_sync BEFORE INSERT OR UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION pay_sync();",
"DO $$ DECLARE lo int8 := 0; hi int8; BEGIN LOOP SELECT max(id) INTO hi FROM (SELECT id FROM payments WHERE id > lo ORDER BY id LIMIT 1000) s; EXIT WHEN hi IS NULL;
UPDATE payments SET amount = amount WHERE id > lo AND id <= hi AND amount_new IS NULL; lo := hi; COMMIT; END LOOP; END $$;",
"CREATE INDEX CONCURRENTLY payments_amount_new ON payments (amount_new);",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE payments ADD CONSTRAINT nn CHECK (amount_new IS NOT NULL) NOT VALID",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE payments VALIDATE CONSTRAINT nn",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE payments ALTER amount_new SET NOT NULL; ALTER TABLE payments DROP CONSTRAINT nn",
"-- lockkeeper: deploy both
SET LOCAL lock_timeout = '2s'; DROP TRIGGER zz_sync ON payments; ALTER TABLE payments RENAME amount TO amount_old; ALTER TABLE payments RENAME amount_new TO amount;
ALTER TABLE payments ALTER amount_old DROP NOT NULL; 
CREATE OR REPLACE FUNCTION pay_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.amount IS NULL THEN NEW.amount := NEW.amount_old; ELSE NEW.amount_old := NEW.amount; END IF;
  ELSIF NEW.amount_old IS DISTINCT FROM OLD.amount_old THEN NEW.amount := NEW.amount_old;
  ELSIF NEW.amount IS DISTINCT FROM OLD.amount THEN NEW.amount_old := NEW.amount;
  END IF; RETURN NEW; END $$;
CREATE TRIGGER zz_sync BEFORE INSERT OR UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION pay_sync();",
"SET LOCAL lock_timeout = '2s'; DROP TRIGGER zz_sync ON payments; DROP FUNCTION pay_sync(); ALTER TABLE payments DROP COLUMN amount_old",
],
"make a primary key bigint, with a foreign key that points at it" => vec![
"SET LOCAL lock_timeout = '2s'; ALTER TABLE orders ADD COLUMN id_new bigint; 
CREATE FUNCTION o_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id_new := NEW.id; RETURN NEW; END $$;
CREATE TRIGGER zz_sync BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION o_sync();",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE items ADD COLUMN order_id_new bigint; 
CREATE FUNCTION i_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.order_id_new := NEW.order_id; RETURN NEW; END $$;
CREATE TRIGGER zz_sync BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION i_sync();",
"DO $$ DECLARE lo int8 := 0; hi int8; BEGIN LOOP SELECT max(id) INTO hi FROM (SELECT id FROM orders WHERE id > lo ORDER BY id LIMIT 1000) s; EXIT WHEN hi IS NULL;
UPDATE orders SET id_new = id WHERE id > lo AND id <= hi AND id_new IS NULL; lo := hi; COMMIT; END LOOP; END $$;",
"DO $$ DECLARE lo int8 := 0; hi int8; BEGIN LOOP SELECT max(id) INTO hi FROM (SELECT id FROM items WHERE id > lo ORDER BY id LIMIT 1000) s; EXIT WHEN hi IS NULL;
UPDATE items SET order_id_new = order_id WHERE id > lo AND id <= hi AND order_id_new IS NULL; lo := hi; COMMIT; END LOOP; END $$;",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE orders ADD CONSTRAINT nn CHECK (id_new IS NOT NULL) NOT VALID",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE orders VALIDATE CONSTRAINT nn",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE items ADD CONSTRAINT nn CHECK (order_id_new IS NOT NULL) NOT VALID",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE items VALIDATE CONSTRAINT nn",
"CREATE UNIQUE INDEX CONCURRENTLY orders_id_new_key ON orders (id_new);",
"CREATE INDEX CONCURRENTLY items_order_id_new ON items (order_id_new);",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE items ADD CONSTRAINT fk_new FOREIGN KEY (order_id_new) REFERENCES orders (id_new) NOT VALID",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE items VALIDATE CONSTRAINT fk_new",
"-- lockkeeper: deploy both
SET LOCAL lock_timeout = '2s'; LOCK TABLE orders, items IN ACCESS EXCLUSIVE MODE;
DROP TRIGGER zz_sync ON orders; DROP TRIGGER zz_sync ON items;
ALTER TABLE items DROP CONSTRAINT items_order_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
ALTER TABLE orders ALTER id DROP IDENTITY;
ALTER TABLE orders RENAME id TO id_old; ALTER TABLE orders RENAME id_new TO id;
ALTER TABLE items RENAME order_id TO order_id_old; ALTER TABLE items RENAME order_id_new TO order_id;
ALTER TABLE orders ALTER id_old DROP NOT NULL, ALTER id SET NOT NULL;
ALTER TABLE items ALTER order_id_old DROP NOT NULL, ALTER order_id SET NOT NULL;
ALTER TABLE orders ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 150000000);
ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_id_new_key;",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE orders DROP CONSTRAINT nn; ALTER TABLE orders DROP COLUMN id_old; ALTER TABLE items DROP CONSTRAINT nn; ALTER TABLE items DROP COLUMN order_id_old",
],
"move a column to another table" => vec![
"SET LOCAL lock_timeout = '2s'; ALTER TABLE profiles ADD COLUMN bio text;
CREATE FUNCTION bio_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO profiles (user_id, bio) VALUES (NEW.id, NEW.bio) ON CONFLICT (user_id) DO UPDATE SET bio = EXCLUDED.bio WHERE profiles.bio IS DISTINCT FROM EXCLUDED.bio; RETURN NULL; END $$;
CREATE TRIGGER zz_sync_i AFTER INSERT ON users FOR EACH ROW WHEN (NEW.bio IS NOT NULL) EXECUTE FUNCTION bio_sync();
CREATE TRIGGER zz_sync AFTER UPDATE OF bio ON users FOR EACH ROW EXECUTE FUNCTION bio_sync();",
"DO $$ DECLARE lo int8 := 0; hi int8; BEGIN LOOP SELECT max(id) INTO hi FROM (SELECT id FROM users WHERE id > lo ORDER BY id LIMIT 1000) s; EXIT WHEN hi IS NULL;
INSERT INTO profiles (user_id, bio) SELECT id, bio FROM users WHERE id > lo AND id <= hi ON CONFLICT DO NOTHING; lo := hi; COMMIT; END LOOP; END $$;",
"-- lockkeeper: deploy reads there
SELECT 1", "-- lockkeeper: deploy writes there
SET LOCAL lock_timeout = '2s'; DROP TRIGGER zz_sync ON users; DROP TRIGGER zz_sync_i ON users; DROP FUNCTION bio_sync(); ALTER TABLE users DROP COLUMN bio"
],
"split a column in two" => vec![
"SET LOCAL lock_timeout = '2s'; ALTER TABLE users ADD COLUMN first_name text, ADD COLUMN last_name text;
CREATE FUNCTION users_email_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.first_name IS NULL AND NEW.last_name IS NULL THEN NEW.first_name := split_part(NEW.full_name, ' ', 1);NEW.last_name := split_part(NEW.full_name, ' ', 2); ELSE NEW.full_name := concat_ws(' ', NEW.first_name, NEW.last_name); END IF;
  ELSIF NEW.full_name IS DISTINCT FROM OLD.full_name THEN NEW.first_name := split_part(NEW.full_name, ' ', 1);NEW.last_name := split_part(NEW.full_name, ' ', 2);
  ELSIF (NEW.first_name, NEW.last_name) IS DISTINCT FROM (OLD.first_name, OLD.last_name) THEN NEW.full_name := concat_ws(' ', NEW.first_name, NEW.last_name);
  ELSIF NEW.first_name IS NULL AND NEW.last_name IS NULL THEN NEW.first_name := split_part(NEW.full_name, ' ', 1);NEW.last_name := split_part(NEW.full_name, ' ', 2);
  END IF; RETURN NEW; END $$;
CREATE TRIGGER zz_sync BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION users_email_sync();",
"DO $$ DECLARE lo int8 := 0; hi int8; BEGIN LOOP SELECT max(id) INTO hi FROM (SELECT id FROM users WHERE id > lo ORDER BY id LIMIT 5000) s; EXIT WHEN hi IS NULL;
UPDATE users SET full_name = full_name WHERE id > lo AND id <= hi AND first_name IS NULL; lo := hi; COMMIT; END LOOP; END $$;",
"-- lockkeeper: deploy pair
SET LOCAL lock_timeout = '2s'; DROP TRIGGER zz_sync ON users; ALTER TABLE users DROP COLUMN full_name; DROP FUNCTION users_email_sync()",
],
"rename a table" => vec!["BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE clients RENAME TO customers; CREATE VIEW clients WITH (security_invoker=true) AS SELECT * FROM customers; COMMIT",
"-- lockkeeper: deploy new
SET LOCAL lock_timeout = '2s'; DROP VIEW clients"],
"drop a table" => vec!["-- lockkeeper: deploy no more drafts
SET LOCAL lock_timeout = '2s'; ALTER TABLE drafts DROP CONSTRAINT drafts_user_id_fkey", "SET LOCAL lock_timeout='2s'; DROP TABLE drafts"],
"drop a column" => vec!["SET LOCAL lock_timeout = '2s'; ALTER TABLE users ALTER nickname DROP NOT NULL", "-- lockkeeper: deploy new
SET LOCAL lock_timeout='2s'; ALTER TABLE users DROP COLUMN nickname"],
"rename a value of an enumeration" => vec!["ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'paid' AFTER 'payed'", "-- lockkeeper: deploy tolerant
DO $$ DECLARE lo int8 := 0; hi int8; BEGIN LOOP SELECT max(id) INTO hi FROM (SELECT id FROM orders WHERE id > lo ORDER BY id LIMIT 5000) s; EXIT WHEN hi IS NULL;
UPDATE orders SET status = 'paid' WHERE id > lo AND id <= hi AND status = 'payed'; lo := hi; COMMIT; END LOOP; END $$;"],
"build an index" => vec!["CREATE INDEX CONCURRENTLY orders_user_id ON orders (user_id, lower(note))"],
"build an index anew" => vec!["REINDEX INDEX CONCURRENTLY orders_user_id"],
"build an index on a partitioned table" => vec!["SET LOCAL lock_timeout='2s'; CREATE INDEX orders_user_id ON ONLY orders (user_id, lower(note))",
"CREATE INDEX CONCURRENTLY orders_1_i ON orders_1 (user_id, lower(note)); ALTER INDEX orders_user_id ATTACH PARTITION orders_1_i",
"CREATE INDEX CONCURRENTLY orders_2_i ON orders_2 (user_id, lower(note)); ALTER INDEX orders_user_id ATTACH PARTITION orders_2_i",
"CREATE INDEX CONCURRENTLY orders_3_i ON orders_3 (user_id, lower(note)); ALTER INDEX orders_user_id ATTACH PARTITION orders_3_i"],
"attach a partition" => vec!["SET LOCAL lock_timeout='2s'; ALTER TABLE orders_imported ADD CONSTRAINT b CHECK (id IS NOT NULL AND id >= 1000000000 AND id < 2000000000) NOT VALID",
"SET LOCAL lock_timeout='2s'; ALTER TABLE orders_imported VALIDATE CONSTRAINT b",
"SET LOCAL lock_timeout='2s'; ALTER TABLE orders ATTACH PARTITION orders_imported FOR VALUES FROM (1000000000) TO (2000000000)",
"SET LOCAL lock_timeout='2s'; ALTER TABLE orders_imported DROP CONSTRAINT b"],
"require a value" => vec![
"SET LOCAL lock_timeout = '2s'; ALTER TABLE users ADD CONSTRAINT nn CHECK (email IS NOT NULL) NOT VALID",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE users VALIDATE CONSTRAINT nn",
"SET LOCAL lock_timeout = '2s'; ALTER TABLE users ALTER email SET NOT NULL; ALTER TABLE users DROP CONSTRAINT nn"],
"add a foreign key" => vec!["CREATE INDEX CONCURRENTLY ou ON orders (user_id)", "SET LOCAL lock_timeout='2s'; ALTER TABLE orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
"SET LOCAL lock_timeout='2s'; ALTER TABLE orders VALIDATE CONSTRAINT orders_user_id_fkey"],
"add a unique constraint" => vec!["CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email)", "SET LOCAL lock_timeout='2s'; ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key"],
"add a check" => vec!["SET LOCAL lock_timeout='2s'; ALTER TABLE payments ADD CONSTRAINT payments_amount_positive CHECK (amount > 0) NOT VALID", "SET LOCAL lock_timeout='2s'; ALTER TABLE payments VALIDATE CONSTRAINT payments_amount_positive"],
"add a column with a default that differs from row to row" => vec!["SET LOCAL lock_timeout='2s'; ALTER TABLE orders ADD COLUMN token uuid; ALTER TABLE orders ALTER token SET DEFAULT gen_random_uuid();",
"DO $$ DECLARE lo int8 := 0; hi int8; BEGIN LOOP SELECT max(id) INTO hi FROM (SELECT id FROM orders WHERE id > lo ORDER BY id LIMIT 1000) s; EXIT WHEN hi IS NULL;
UPDATE orders SET token = gen_random_uuid() WHERE id > lo AND id <= hi AND token IS NULL; lo := hi; COMMIT; END LOOP; END $$;"],
        other => panic!("{other}"),
    }
}
