//! The macros of a handler and of a table.
#![allow(dead_code)]

diesel::table! {
    users (id) {
        id -> Integer,
        name -> Text,
    }
}

#[derive(diesel::Queryable, diesel::Insertable)]
#[diesel(table_name = users)]
struct User {
    id: i32,
    name: String,
}

const MIGRATIONS: diesel_migrations::EmbeddedMigrations = diesel_migrations::embed_migrations!();

#[axum::debug_handler]
async fn hello() -> &'static str {
    "hello"
}
