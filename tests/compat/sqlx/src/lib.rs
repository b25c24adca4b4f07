//! One query, described by what `cargo sqlx prepare` left in `.sqlx`.

pub async fn one(pool: &sqlx::SqlitePool) -> Result<i64, sqlx::Error> {
    Ok(sqlx::query!("SELECT 1 AS one").fetch_one(pool).await?.one)
}

pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
