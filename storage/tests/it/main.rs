//! The store as a whole: what it promises across restarts, crashes and damage.

mod chain;
mod cold;
mod cold_copies;
mod cold_faults;
mod cold_files;
mod cold_model;
mod commits;
mod copies;
mod crashes;
mod damage;
mod faults;
mod manifest;
mod nested;
mod roots;
mod snapshots;
mod states;
