//! Which orders wait for a person.

use chancery_acme::Problem;
use chancery_acme::state::OrderStatus;
use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_time::Timestamp;

use super::orders::Approval;

/// Has an order wait.
pub(crate) fn set_waiting(tx: &mut WriteTx<'_>, order_id: i64) -> Result<(), Error> {
    tx.execute("UPDATE orders SET approval = $1 WHERE id = $2", params![Approval::Waiting.name(), order_id])?;
    Ok(())
}

/// Ends the wait of an order; `false` where it does not wait.
pub(crate) fn settle(tx: &mut WriteTx<'_>, order_id: i64, as_what: Approval) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE orders SET approval = $1 WHERE id = $2 AND approval = $3 AND status = $4",
        params![as_what.name(), order_id, Approval::Waiting.name(), OrderStatus::Processing.name()],
    )?;
    Ok(changed == 1)
}

/// Ends all orders of an account that wait, with a problem document.
pub(crate) fn end_of_account(tx: &mut WriteTx<'_>, account_id: i64, why: &Problem) -> Result<(), Error> {
    tx.execute(
        "UPDATE orders SET status = $1, error = $2, approval = $3
         WHERE account_id = $4 AND approval IS NOT NULL AND approval = $5 AND status = $6",
        params![
            OrderStatus::Invalid.name(),
            &why.to_json(),
            Approval::Lapsed.name(),
            account_id,
            Approval::Waiting.name(),
            OrderStatus::Processing.name()
        ],
    )?;
    Ok(())
}

/// Orders that wait though they have expired, with their accounts.
pub(crate) fn overdue(tx: &mut ReadTx<'_>, now: Timestamp, limit: i64) -> Result<Vec<(i64, i64)>, Error> {
    // That approval is not NULL lets the index serve, which holds such orders alone.
    tx.query(
        "SELECT id, account_id FROM orders
         WHERE approval IS NOT NULL AND approval = $1 AND status = $2 AND expires_at <= $3 ORDER BY id LIMIT $4",
        params![Approval::Waiting.name(), OrderStatus::Processing.name(), now.unix_millis(), limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
