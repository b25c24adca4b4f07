create table stations (
    id bigserial primary key,
    name text not null,
    latitude double precision not null,
    longitude double precision not null
);
