//! A writer of OBJ files in the dialects of exporters.

use crate::solids::Solid;
use proptest::prelude::*;

/// How a corner is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Corner {
    Plain,
    Slash,
    Slashes,
    Texture,
    TextureSlash,
    Normal,
    TextureNormal,
    ZeroNormal,
}

#[derive(Clone, Debug)]
pub struct Dialect {
    pub ends: &'static str,
    pub triangles: bool,
    /// Each face follows its own vertices, and counts back from the last.
    pub negative: bool,
    pub corner: Corner,
    pub mark: bool,
    pub continued: bool,
    pub comments: bool,
    pub groups: bool,
    pub tail: &'static str,
    pub indent: &'static str,
    pub exponents: bool,
    pub last_end: bool,
}

pub fn dialects() -> impl Strategy<Value = Dialect> {
    let corners = [
        Corner::Plain,
        Corner::Slash,
        Corner::Slashes,
        Corner::Texture,
        Corner::TextureSlash,
        Corner::Normal,
        Corner::TextureNormal,
        Corner::ZeroNormal,
    ];
    let words = (
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        prop::sample::select(corners.to_vec()),
        prop::sample::select(vec!["", " 1.0", " 0.5 0.25 1"]),
        prop::sample::select(vec!["", " ", "\t"]),
    );
    (words, prop::array::uniform8(any::<bool>())).prop_map(|((ends, corner, tail, indent), flags)| {
        let [
            triangles,
            negative,
            mark,
            continued,
            comments,
            groups,
            exponents,
            last_end,
        ] = flags;
        Dialect {
            ends,
            triangles,
            negative,
            corner,
            mark,
            continued,
            comments,
            groups,
            tail,
            indent,
            exponents,
            last_end,
        }
    })
}

impl Dialect {
    fn number(&self, number: f64) -> String {
        if self.exponents {
            format!("{number:.17e}")
        } else {
            format!("{number:?}")
        }
    }

    fn vertex(&self, [x, y, z]: [f64; 3]) -> String {
        let [x, y, z] = [x, y, z].map(|c| self.number(c));
        format!("{}v {x} {y}  {z}{}", self.indent, self.tail)
    }

    fn corner(&self, place: &str) -> String {
        let sign = if self.negative { "-1" } else { "1" };
        match self.corner {
            Corner::Plain => place.to_owned(),
            Corner::Slash => format!("{place}/"),
            Corner::Slashes => format!("{place}//"),
            Corner::Texture => format!("{place}/{sign}"),
            Corner::TextureSlash => format!("{place}/{sign}/"),
            Corner::Normal => format!("{place}//{sign}"),
            Corner::TextureNormal => format!("{place}/{sign}/{sign}"),
            Corner::ZeroNormal => format!("{place}//0"),
        }
    }

    /// The lines of a file; those of data may be continued.
    pub fn write(&self, solid: &Solid) -> Vec<u8> {
        let solid = if self.triangles {
            solid.clone().with_convex_faces()
        } else {
            solid.clone()
        };
        let mut faces: Vec<Vec<usize>> = solid.faces.iter().map(|face| face.corners.clone()).collect();
        if self.triangles {
            faces = solid.triangles().iter().map(|face| face.to_vec()).collect();
        }
        let mut lines = vec!["vt 0.5 0.5".to_owned(), "vn 0 0 1".to_owned()];
        if !self.negative {
            lines.extend(solid.vertices.iter().map(|&vertex| self.vertex(vertex)));
        }
        for (i, corners) in faces.iter().enumerate() {
            if self.groups && i % 3 == 0 {
                lines.extend([format!("g part_{i}"), "usemtl same".to_owned(), "s off".to_owned()]);
            }
            let places: Vec<String> = if self.negative {
                lines.extend(corners.iter().map(|&place| self.vertex(solid.vertices[place])));
                (0..corners.len()).map(|j| format!("-{}", corners.len() - j)).collect()
            } else {
                corners.iter().map(|place| (place + 1).to_string()).collect()
            };
            let words: Vec<_> = places.iter().map(|place| self.corner(place)).collect();
            let between = if self.continued {
                format!(" \\{} ", self.ends)
            } else {
                " ".to_owned()
            };
            lines.push(format!("{}f {}", self.indent, words.join(&between)));
        }
        self.finish(lines)
    }

    fn finish(&self, lines: Vec<String>) -> Vec<u8> {
        let mut file = if self.mark {
            "\u{feff}".as_bytes().to_vec()
        } else {
            Vec::new()
        };
        for (i, line) in lines.iter().enumerate() {
            if self.comments && i % 5 == 0 {
                file.extend(b"# Gr\xFC\xDFe, v 1 2 3 \\");
                file.extend(self.ends.bytes());
            }
            file.extend(line.bytes());
            if self.comments {
                file.extend(b" #\xE9");
            }
            if i + 1 < lines.len() || self.last_end {
                file.extend(self.ends.bytes());
            }
        }
        file
    }
}
