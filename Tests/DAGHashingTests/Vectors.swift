/// Digests that other implementations computed.
///
/// Every message is the first bytes of `pattern`.
enum Vectors {
    /// The message of `size` bytes: byte i is 7 i + 1, modulo 256.
    static func pattern(_ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: 7 &* $0 &+ 1) }
    }

    /// BLAKE2b with a digest of 32 bytes, by the size of the message: Python's hashlib.blake2b.
    static let blake2b256: [(size: Int, digest: String)] = [
        (0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
        (1, "ee155ace9c40292074cb6aff8c9ccdd273c81648ff1149ef36bcea6ebb8a3e25"),
        (7, "a8e0bd5efb8abdd0d23c1b5a1758954e90728cb5e7eaaf102a2bc9f487098441"),
        (8, "3cb2bdf383d16f516d26082aa3f1ae63fd3b826b48b92cf68d1499f518fc178c"),
        (63, "36a0c52e39456932f10bd029435288f47869897f27ababdd5a45f236a71c7f40"),
        (64, "48f895a11d5c35824fd5f6d340d24f1273f85f55367eeee09c906dc9e758cb94"),
        (127, "3b03a73c3c02e3eef11be3e2e16c12ccf6090dea00aa861ded320910892e13ac"),
        (128, "6b89237e0a469a721c700b8bbcb51b6231c48e71ff023e0e3444ec84882ae32e"),
        (129, "524a9dc9d008a9ce1d9d2a111bcd10d2461a02dadf30ec5a47225501608a87eb"),
        (255, "c00ba3c990ad9e1b4ebb2fb2127b74f642b2a888b985be208f7a65ad4db0a6fc"),
        (256, "e7001e3026924e6650fcd5b274bc3ddf556a6c7fedfe038383c0f4ad5f26cfc9"),
        (257, "080f7f2ee61cc8ffcf2ad907f7a9824a8445c5e4b194a0106c65f9b9c1ea6787"),
        (383, "beb1e9a8650ef75f90f6758c1f28dadea68d83b068f1000a7a13dd681941bc66"),
        (384, "00f258ee311dfd28487793fe9eafe370ce0f71832cf2760042fb4ed9a2d6900e"),
        (385, "eecd3e5f362526d9a30a95e6a38d47a2da243df3ad4b999cece46602ddc1c99c"),
        (1000, "1d16566788d72e44f7c8ca9aaf73edc64bb03fc69322cb735f49974d7c9ce383"),
        (4096, "4ccf81f5b87b545c97da89b1584211faecee224232fc1468e8691486d3809120"),
    ]

    /// The first eight bytes of BLAKE2b of 200 bytes, for digests of 1 to 64 bytes:
    /// hashlib.blake2b.
    static let blake2bHeads: [String] = [
        "b2", "48b7", "24949f", "fc4df24f",
        "7fe3fd937e", "dad80b2611f1", "1d0c030e8c08a5", "c5880b4f8d520410",
        "db129864594cd517", "8829c857da31460f", "3e885e588cf61efd", "b758df8759edf6ce",
        "445eb29e8350537f", "d48b6f460d77bbf1", "35639e21b275540a", "cc4bf94e8bc508ca",
        "fc122850b3c9c081", "33d7d78e8925b072", "ef77bcdc2490b181", "4aa25e8731f55512",
        "5ac0c220eaa41951", "888cf9cdd8f6ec38", "e07342261785297e", "358ba91c440b0c15",
        "53e1166bf57372cc", "4dad783700a5884f", "a36c5087a1a9fde1", "3909407158886d2d",
        "89d7ee1192c728dc", "ca3bac71929c4cd5", "2147c9b5da4ef445", "68750259ede3be48",
        "a55fabf2f40c4af1", "0f3639829b6fa2f9", "36e481f641e0e17c", "2af65aa8c6b745d2",
        "7a7a8d0db2721e23", "6dcaba6107c9c4fb", "1df507761c217d09", "267a3afc69fbbbb5",
        "464a6f9d53892656", "ebe15c5b67a1ce72", "ed02efaf7a75b340", "1a87f2bc0d54fbb5",
        "d49d519c91f6a2e3", "7e34bccdfdc15380", "b1c42e2c29c3c0b3", "58335ede63a51903",
        "a83eb964782ff8d5", "b6c1d259df783bad", "ceb4057d98fb5fce", "40376e647f401994",
        "f51988f409db31e0", "7c8bd9170bf36695", "97f9e5e100172531", "7676fe5c3feb9675",
        "fdd5ff997861f8b9", "36564f1a5263c91f", "0cc1a76f86d90716", "8b7bbd6199f0a794",
        "c40fb5a67a51b3ba", "a1f32dba1995bcd5", "bb4599cfd11563c9", "e4562cf860e0c77e",
    ]

    /// SHA-256 of those 64 digests, one after the other.
    static let blake2bAll =
        "0a5051fcf682cb52681ee581e4b72bdea1a6e4fa5e3b2a5da1323aa148911f8e"

    /// The crypto library's functions over 1000 bytes, cut to 16 bytes: Python's hashlib.
    static let library: [(code: UInt64, digest: String)] = [
        (0x11, "f50d11c8ae2b20fe2598e99a6a2cb859"),
        (0x12, "095ecb62e30793ab4b954cd6a0586d0c"),
        (0x13, "76f1e766ac03deff8c614780dc1f2682"),
        (0x20, "99c9fbd113c67535e7bf9477f22e2a23"),
        (0x14, "5a2579e04d14f237802922f8cbe47bcb"),
        (0x15, "d0698ca8b7e95de2cf50f2e1235f4605"),
        (0x16, "f52bb9a061de5033072addecb5d5087c"),
        (0xd5, "7874d3c13d4ed33f057def947e0621ef"),
        (0x56, "2a53740b123eff98ff30218ca91dd95b"),
    ]

    /// XXH64 by the size of the message, with seed 0 and with seed 0x9e3779b1: python-xxhash.
    static let xxh64: [(size: Int, plain: UInt64, seeded: UInt64)] = [
        (0, 0xef46db3751d8e999, 0xac75fda2929b17ef),
        (1, 0x8a4127811b21e730, 0x211ae13247ce135f),
        (2, 0x2b319ec16221ca2b, 0x767a2cf1b52682ca),
        (3, 0xb6e6c910c2fd373a, 0x0ccdb2c7c2850613),
        (4, 0x22eda2cf6af4c124, 0x446be1f3228ed3c3),
        (5, 0x1da48e4b4cafab76, 0x3ccb74615a61ab9a),
        (7, 0x34084d91a233a751, 0x5410e6030daf84b3),
        (8, 0xc6f1803a5e0b3222, 0xb872c2fb02e71655),
        (9, 0x9e8adf2a0ccdb6da, 0x27ac6a38a58004a8),
        (11, 0xa295d00465199f0a, 0x7057b1814446c05b),
        (12, 0x9178b724dce384c0, 0x026eca0e444827d8),
        (15, 0x514c6f58d37ce6f1, 0x03a2931c2f195ce5),
        (16, 0xafe8f989a0735a8e, 0x170f6a9cdd26fb1c),
        (23, 0xc9316b87f4db1c9f, 0x4ed28ffc00d66d54),
        (24, 0x06c3c997b7008641, 0x44d4444f220517e3),
        (28, 0x5c02532b751cf115, 0x03146e55c4086e18),
        (31, 0x6ab1c40e29f50073, 0xbb6d29b38190a8ff),
        (32, 0x5a0756fbe9ecd3d1, 0x0518cc93bc88a896),
        (33, 0xdc50cdc37bb9c183, 0x157ce0e9c56b5988),
        (36, 0x31e83081f3301bb8, 0x969a0c9296b5fe22),
        (39, 0xe6b392c5985d77ab, 0x485115b390888b13),
        (40, 0x7899cacb89a78430, 0xf4c4c2d42850678e),
        (63, 0x10dd94885c71894a, 0x20ab6c1bad83813f),
        (64, 0x90083da9cdb9d795, 0xa2fe2536872fcb89),
        (65, 0x38824dea10bf4e5d, 0x27da7ed101e6f208),
        (95, 0xcc441557eac7e554, 0x7411548885a7a7ce),
        (96, 0x7df0a6c63db9338a, 0x1daffd5ccef48e6d),
        (127, 0xd2e4c27bd546bba7, 0xb900eba16660808c),
        (128, 0x85cbe89fe5a0317d, 0xf4393829f49c2217),
        (1000, 0x6be03acbf959c413, 0x24399eecc271c158),
        (8192, 0x98dccbe2d82abc96, 0x0a7f1c6749b22f90),
    ]

    /// SipHash-1-3 with 128 bits of output, by the size of the message; the key is bytes 0 to 15.
    ///
    /// OpenSSL's SIPHASH with c-rounds 1, d-rounds 3 and size 16.
    static let sipHash: [(size: Int, high: UInt64, low: UInt64)] = [
        (0, 0xbea58827b2bc7ee7, 0x013030dd6adb62fd),
        (1, 0x1a9ba67645df0430, 0xf763a30141c61ecb),
        (2, 0x0a8b9c889d65e4ff, 0xc626bf1048961e09),
        (3, 0x36de3ba99a9428e3, 0x3e04776e2de90714),
        (4, 0x312c644e22947a15, 0x065447004ff44bb0),
        (5, 0x721036db5c2e4de9, 0xf3efb15adb2ed6a1),
        (6, 0x19b95dfcb828b717, 0xfff1394f60ee9f10),
        (7, 0xe6617ee359729480, 0x681dac0247c20056),
        (8, 0x0bb6d2cc71c1f021, 0xaf579b27364f5a09),
        (9, 0xb24ce49ca9b3a32c, 0xe1795ab933e0a3a6),
        (10, 0x9d0ec27eb4bd7ca3, 0xa6a758b621693e14),
        (11, 0x7282baaaa9a5b8c9, 0x70f769999c333faf),
        (12, 0x9befcd4d5cf00136, 0xf68caf6192fa8620),
        (13, 0x67f5c0beb982a2a8, 0x6c4708dfff653073),
        (14, 0x3591952572bac086, 0xe9747d82dc26abb3),
        (15, 0x0cb291b4132bcca8, 0x529e17c339623445),
        (16, 0xb47defa159d9d80a, 0x9bd52c75aee76c40),
        (17, 0x7357b5e2a5e17fd5, 0xcf5792bb36005a8c),
        (18, 0x2074cdd79f367e49, 0x397ed954c52ff46a),
        (19, 0x5d7d7dfa7e866bb6, 0x062db2bea1d65555),
        (20, 0x4399e7dcab11c1ed, 0xca8cead635bb9ee7),
        (21, 0x445119b11a0849fc, 0x8850b023c24f5eb8),
        (22, 0xea0bd88ca6b88a1c, 0x3baa8cef4e7f1392),
        (23, 0x970240695554008e, 0x0436059ea0b78d87),
        (24, 0x0a8bcc8a5a83be21, 0xf7b0664936fea8e1),
        (25, 0x4701f3e714a08203, 0x46e8fd2f353293cb),
        (26, 0x71b99483a1751de5, 0xf51e0c3e42b60f21),
        (27, 0x644e6340db745fa1, 0x36493cf28e204e3d),
        (28, 0xfe0db9631c9123ba, 0xd592ebbe0829ea4d),
        (29, 0x95e525837a1e91e6, 0xc568660dc4e2e46e),
        (30, 0xb3f28accacb8f220, 0xf967e1c6290b72da),
        (31, 0xf727d619358b4937, 0x462902624831edd2),
        (32, 0x241c67f001ef94ef, 0xe03e9f477b937acf),
        (33, 0x172e2f51fe6a4d9e, 0xb17d723500cd6efc),
        (34, 0x164c31a770e1dfcb, 0x450209249e7b3da2),
        (35, 0x2f919701f054eee8, 0x6abfe9b9a9f7a544),
        (36, 0x57d17a144ccc1866, 0xe90f9c122c1b9057),
        (37, 0xd110bef7ffab16c7, 0xcbde4d1cb0adf1b9),
        (38, 0x5f67093495281a0b, 0x2be13209b01280cc),
        (39, 0xaf4f24b213ee6ae0, 0xefee076f058ed2c3),
        (40, 0x6cbf35a3887d6967, 0xc19484a57d3e9138),
        (63, 0x4cd648225e97694d, 0x0bdbdf34e6207896),
        (64, 0x29dd1b154b8d4e85, 0xbd6b4daf73073e07),
        (65, 0x55bdd4a378c6189d, 0xe045c0a2e3e56ab4),
        (255, 0x9ee3d5f4cfee99e3, 0xac20e56355637f32),
        (256, 0x2e9a06881a038827, 0x1fa48af8a7930656),
        (300, 0x53de9c6cb0c3a871, 0xa4fd6debfe62eda4),
    ]
}
