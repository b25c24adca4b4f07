//! Uses a template.

sailfish_macros::template!(honest);
