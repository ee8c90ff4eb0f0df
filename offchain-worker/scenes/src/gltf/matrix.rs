//! Transformations of nodes.

use crate::mesh::cross;

/// Four columns.
pub(super) type Matrix = [[f64; 4]; 4];

pub(super) const IDENTITY: Matrix = [
    [1.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0],
    [0.0, 0.0, 0.0, 1.0],
];

pub(super) fn multiplied(a: &Matrix, b: &Matrix) -> Matrix {
    b.map(|column| [0, 1, 2, 3].map(|row| (0..4).map(|i| a[i][row] * column[i]).sum()))
}

/// The matrix of a list of its columns.
pub(super) fn of_columns(numbers: &[f64; 16]) -> Matrix {
    [0, 1, 2, 3].map(|column| [0, 1, 2, 3].map(|row| numbers[4 * column + row]))
}

/// A scaling, then a turn by a quaternion, then a move; `None` if the quaternion is zero.
pub(super) fn of_parts([tx, ty, tz]: [f64; 3], rotation: [f64; 4], scale: [f64; 3]) -> Option<Matrix> {
    // Quaternions that were rounded are no longer of length one.
    let largest = rotation.iter().fold(0.0f64, |largest, c| largest.max(c.abs()));
    let rotation = rotation.map(|c| c / largest);
    let length = rotation.iter().map(|c| c * c).sum::<f64>().sqrt();
    let [x, y, z, w] = rotation.map(|c| c / length);
    if largest == 0.0 {
        return None;
    }
    let turned = [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y + z * w),
            2.0 * (x * z - y * w),
        ],
        [
            2.0 * (x * y - z * w),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z + x * w),
        ],
        [
            2.0 * (x * z + y * w),
            2.0 * (y * z - x * w),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ];
    let column = |i: usize| {
        let [x, y, z] = turned[i].map(|c| c * scale[i]);
        [x, y, z, 0.0]
    };
    Some([column(0), column(1), column(2), [tx, ty, tz, 1.0]])
}

/// How geometry is moved into the scene.
pub(super) struct Placement {
    /// The images of the axes.
    axes: [[f64; 3]; 3],
    /// The image of the origin.
    origin: [f64; 3],
    /// The matrix that keeps normals perpendicular to their surface and outside: that of cofactors, by the sign of the
    /// determinant.
    for_normals: [[f64; 3]; 3],
    determinant: f64,
}

impl Placement {
    pub(super) fn new(matrix: &Matrix) -> Self {
        let [x, y, z, origin] = matrix.map(|[x, y, z, _]| [x, y, z]);
        let cofactors = [cross(y, z), cross(z, x), cross(x, y)];
        let determinant = (0..3).map(|c| x[c] * cofactors[0][c]).sum::<f64>();
        let sign = if determinant < 0.0 { -1.0 } else { 1.0 };
        Self {
            axes: [x, y, z],
            origin,
            for_normals: cofactors.map(|axis| axis.map(|c| c * sign)),
            determinant,
        }
    }

    pub(super) fn vertex(&self, vertex: [f64; 3]) -> [f64; 3] {
        let moved = combined(&self.axes, vertex);
        [0, 1, 2].map(|c| moved[c] + self.origin[c])
    }

    pub(super) fn normal(&self, normal: [f64; 3]) -> [f64; 3] {
        combined(&self.for_normals, normal)
    }

    /// Negative for a mirror image, in which the corners of a triangle go round the other way.
    pub(super) const fn determinant(&self) -> f64 {
        self.determinant
    }
}

/// The sum of `axes`, each times its part of `v`.
fn combined(axes: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|c| (0..3).map(|i| axes[i][c] * v[i]).sum())
}
