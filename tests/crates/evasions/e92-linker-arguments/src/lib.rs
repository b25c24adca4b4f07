//! Nothing here: the programs beside it have to be linked.
