create table readings (
    station bigint not null references stations,
    at timestamptz not null,
    level real not null,
    primary key (station, at)
);
