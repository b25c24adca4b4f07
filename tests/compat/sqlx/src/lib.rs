//! One query, described by what `cargo sqlx prepare` left in `.sqlx`.

pub async fn one(pool: &sqlx::SqlitePool) -> Result<i64, sqlx::Error> {
    Ok(sqlx::query!("SELECT 1 AS one").fetch_one(pool).await?.one)
}

pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

#[cfg(test)]
mod tests {
    /// On a database in memory, with what was migrated at compile time.
    #[test]
    fn a_query_that_was_checked() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
            super::MIGRATOR.run(&pool).await.unwrap();
            assert_eq!(super::one(&pool).await.unwrap(), 1);
        });
    }
}
