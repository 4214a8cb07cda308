//! Values, rows and the meaning of errors.

use chancery_db::{Error, WriteTx, params};

use super::on_both_engines;
use crate::engine::{Fresh, set};

on_both_engines!(
    values_come_back_as_they_went_in,
    generated_keys_are_returned,
    expressions_read_as_integers,
    wrong_columns_are_named,
    row_counts_are_checked,
    constraints_have_one_meaning,
    wrong_parameters_are_refused,
    wrong_sql_is_named,
    a_failed_statement_ends_the_transaction,
);

async fn values_come_back_as_they_went_in(fresh: &Fresh) {
    let db = fresh.open().await;
    type Item = (i64, Option<String>, Option<Vec<u8>>);
    let stored: Vec<Item> = db
        .write(|tx: &mut WriteTx<'_>| {
            let insert = "INSERT INTO item (id, name, body) VALUES ($1, $2, $3)";
            tx.execute(insert, params![i64::MAX, "naïve ✓ 'quoted'", &[0_u8, 255, 0]])?;
            tx.execute(insert, params![i64::MIN, "", &Vec::<u8>::new()])?;
            tx.execute(insert, params![0, None::<&str>, None::<&[u8]>])?;
            tx.query("SELECT id, name, body FROM item ORDER BY id DESC", &[], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
        })
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    let expected = vec![
        (i64::MAX, Some("naïve ✓ 'quoted'".to_owned()), Some(vec![0, 255, 0])),
        (0, None, None),
        (i64::MIN, Some(String::new()), Some(Vec::new())),
    ];
    assert_eq!(stored, expected);
}

async fn generated_keys_are_returned(fresh: &Fresh) {
    let db = fresh.open().await;
    let ids: Vec<i64> = db
        .write(|tx: &mut WriteTx<'_>| {
            let mut ids = Vec::new();
            for name in ["a", "b", "c"] {
                let insert = "INSERT INTO item (name) VALUES ($1) RETURNING id";
                ids.push(tx.query_one(insert, params![name], |row| row.get(0))?);
            }
            Ok::<_, Error>(ids)
        })
        .await
        .unwrap();
    assert_eq!(ids, [1, 2, 3]);
}

async fn expressions_read_as_integers(fresh: &Fresh) {
    let db = fresh.open().await;
    set(&db, 1, 40).await;
    set(&db, 2, 2).await;
    let found: (i64, i64, i64, i64) = db
        .read(|tx| {
            tx.query_one(
                "SELECT count(*), CAST(sum(n) AS BIGINT), EXISTS (SELECT 1 FROM item), 1 FROM counter",
                &[],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
        })
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    assert_eq!(found, (2, 42, 0, 1));
}

async fn wrong_columns_are_named(fresh: &Fresh) {
    let db = fresh.open().await;
    set(&db, 1, 1).await;
    let text = db
        .read(|tx| tx.query_one("SELECT n FROM counter", &[], |row| row.get::<String>(0)))
        .await
        .unwrap_err();
    let column = |column: &str, index, wanted, found: &str| Error::Column {
        index,
        column: column.to_owned(),
        wanted,
        found: found.to_owned(),
    };
    assert_eq!(text, column("n", 0, "TEXT", "BIGINT"));

    let missing =
        db.read(|tx| tx.query("SELECT n FROM counter", &[], |row| row.get::<i64>(1))).await.unwrap_err();
    assert_eq!(missing, column("?", 1, "BIGINT", "no such column"));

    let null: Error = db
        .write(|tx| {
            tx.execute("INSERT INTO item (id) VALUES ($1)", params![1])?;
            tx.query("SELECT name FROM item", &[], |row| row.get::<String>(0))
        })
        .await
        .unwrap_err();
    assert_eq!(null, column("name", 0, "TEXT", "NULL"));
}

async fn row_counts_are_checked(fresh: &Fresh) {
    let db = fresh.open().await;
    let select = "SELECT n FROM counter";
    let none = db.read(move |tx| tx.query_opt(select, &[], |row| row.get::<i64>(0))).await;
    assert_eq!(none, Ok::<_, Error>(None));
    let none = db.read(move |tx| tx.query_one(select, &[], |row| row.get::<i64>(0))).await;
    assert_eq!(none, Err(Error::NoRow));

    set(&db, 1, 1).await;
    set(&db, 2, 2).await;
    let two = db.read(move |tx| tx.query_opt(select, &[], |row| row.get::<i64>(0))).await;
    assert_eq!(two, Err(Error::TooManyRows));

    let touched =
        db.write(|tx| tx.execute("UPDATE counter SET n = n + $1 WHERE n > $2", params![1, 0])).await;
    assert_eq!(touched, Ok::<_, Error>(2));
}

async fn constraints_have_one_meaning(fresh: &Fresh) {
    let db = fresh.open().await;
    set(&db, 1, 1).await;
    db.write(|tx| {
        tx.execute(
            "INSERT INTO item (counter, name, body) VALUES ($1, $2, $3)",
            params![1, "a", b"secret value"],
        )
    })
    .await
    .unwrap_or_else(|error: Error| panic!("{error}"));

    let unique = |columns: &str| Error::Unique { constraint: columns.to_owned() };
    const DANGLING: &str = "INSERT INTO item (counter) VALUES (77)";
    const REFERRED: &str = "DELETE FROM counter";
    let cases: [(&'static str, Error); 7] = [
        ("INSERT INTO counter (id, n) VALUES (1, 1)", unique("counter.id")),
        ("INSERT INTO item (counter, name) VALUES (1, 'a')", unique("item.counter, item.name")),
        ("INSERT INTO item (body) SELECT body FROM item", unique("item.body")),
        (DANGLING, Error::ForeignKey { sql: DANGLING }),
        (REFERRED, Error::ForeignKey { sql: REFERRED }),
        (
            "INSERT INTO counter (id, n) VALUES (2, -1)",
            Error::Check { constraint: "counter_not_negative".to_owned() },
        ),
        ("INSERT INTO counter (id, n) VALUES (2, NULL)", Error::NotNull { column: "counter.n".to_owned() }),
    ];
    for (sql, expected) in cases {
        let error: Error = db.write(move |tx| tx.execute(sql, &[])).await.unwrap_err();
        assert_eq!(error, expected, "{sql}");
    }
}

async fn wrong_parameters_are_refused(fresh: &Fresh) {
    let db = fresh.open().await;
    const INSERT: &str = "INSERT INTO counter (id, n) VALUES ($1, $2)";
    let too_few: Error = db.write(|tx| tx.execute(INSERT, params![1])).await.unwrap_err();
    let message = "it has 2 parameters and was given 1".to_owned();
    assert_eq!(too_few, Error::Statement { sql: INSERT, message });

    let of_wrong_type: Error = db.write(|tx| tx.execute(INSERT, params!["hunter2", 1])).await.unwrap_err();
    assert!(matches!(of_wrong_type, Error::Statement { sql: INSERT, .. }), "{of_wrong_type:?}");
    assert!(!of_wrong_type.to_string().contains("hunter2"));
}

async fn wrong_sql_is_named(fresh: &Fresh) {
    let db = fresh.open().await;
    const WRONG: &str = "SELECT nothing FROM nowhere";
    let error = db.read(|tx| tx.query(WRONG, &[], |row| row.get::<i64>(0))).await.unwrap_err();
    let Error::Statement { sql: WRONG, message } = error else { panic!("{error:?}") };
    assert!(message.contains("nowhere"), "{message}");

    // A reading transaction cannot write, whatever its SQL says.
    const WRITES: &str = "INSERT INTO counter (id, n) VALUES (1, 1) RETURNING id";
    let error = db.read(|tx| tx.query(WRITES, &[], |row| row.get::<i64>(0))).await.unwrap_err();
    assert!(matches!(error, Error::Statement { sql: WRITES, .. }), "{error:?}");
}

async fn a_failed_statement_ends_the_transaction(fresh: &Fresh) {
    let db = fresh.open().await;
    set(&db, 1, 1).await;
    let swallowed: Result<(), Error> = db
        .write(|tx| {
            tx.execute("INSERT INTO counter (id, n) VALUES (5, 5)", &[])?;
            let first = tx.execute("INSERT INTO counter (id, n) VALUES (1, 1)", &[]).unwrap_err();
            let second = tx.execute("INSERT INTO counter (id, n) VALUES (6, 6)", &[]).unwrap_err();
            assert_eq!(first, second);
            Ok(())
        })
        .await;
    assert_eq!(swallowed, Err(Error::Unique { constraint: "counter.id".to_owned() }));
    assert_eq!(crate::engine::counter(&db, 5).await, None);
}
