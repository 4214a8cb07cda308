//! Each rule with a key that breaks it. The moduli were made for these tests, by the recipes that make such
//! keys weak.

use super::*;

const EXPONENT: [u8; 3] = [1, 0, 1];

fn verdict(hex: &str) -> Result<(), RsaWeakness> {
    examine(&octets(hex), &EXPONENT)
}

fn octets(hex: &str) -> Vec<u8> {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap().to_bytes_be()
}

#[test]
fn an_honest_key_passes() {
    assert_eq!(verdict(HONEST), Ok(()));
}

#[test]
fn exponents() {
    let modulus = octets(HONEST);
    for sound in [&[1, 0, 1][..], &[1, 0, 3], &[1, 0, 0, 1], &[1, 255, 255, 255, 255]] {
        assert_eq!(examine(&modulus, sound), Ok(()), "{sound:?}");
    }
    let long = [0xff; 600];
    let weak: [&[u8]; 9] =
        [&[], &[1], &[3], &[0xff, 0xff], &[1, 0, 0], &[1, 0, 2], &[1, 0, 0, 0], &[2, 0, 0, 0, 1], &long];
    for weak in weak {
        assert_eq!(examine(&modulus, weak), Err(RsaWeakness::Exponent), "{weak:?}");
    }
}

#[test]
fn small_factors() {
    // 2^2048 - 1 is divisible by 3, 2^2048 by 2 alone.
    assert_eq!(examine(&[0xff; 256], &EXPONENT), Err(RsaWeakness::SmallFactor { prime: 3 }));
    let mut power_of_two = vec![0; 257];
    power_of_two[0] = 1;
    assert_eq!(examine(&power_of_two, &EXPONENT), Err(RsaWeakness::SmallFactor { prime: 2 }));
    let honest = BigUint::from_bytes_be(&octets(HONEST));
    for prime in [5_u32, 251, 257, 751] {
        let product = (&honest * prime).to_bytes_be();
        assert_eq!(examine(&product, &EXPONENT), Err(RsaWeakness::SmallFactor { prime }));
    }
    assert_eq!(examine(&(honest * 757_u32).to_bytes_be(), &EXPONENT), Ok(()));
    assert_eq!(examine(&[], &EXPONENT), Err(RsaWeakness::SmallFactor { prime: 2 }));
}

#[test]
fn roca() {
    assert_eq!(verdict(ROCA), Err(RsaWeakness::Roca));
}

#[test]
fn close_primes() {
    assert_eq!(verdict(NEIGHBOURS), Err(RsaWeakness::ClosePrimes));
    assert_eq!(verdict(LAST_ROUND), Err(RsaWeakness::ClosePrimes));
    assert_eq!(verdict(BEYOND_LAST_ROUND), Ok(()));
}

/// The product of two primes that follow each other.
const NEIGHBOURS: &str = "\
    c6874ca6231eceace02367167133560099e8d39d0fba43d263c9bec704ec63ab8a2b3d9b3c4394f02877a2fd062bed40\
    ed44d35b41daecdd8a3d99be93458aa83e633fb9ead05fee953f360f856cbe13f663035d5482578f09f54e41075dc6af\
    a1063323723e6d65fdff7154578eb4e234d03c7748e7d9a6c7dbc182ddf180482ab4ad16eca9e5b9c27a3caf61399384\
    458cd3aff10aeccb4a3c4d185e7e3d75c29dc2a87de11abbd37f5738c595bd5a3016ef22483b54b05acbd3ac6a12737a\
    9fdd16b2474a9d9a677bac2342b4528c8ed8ab958fcf8643b4689c971bd0f44d104a406b0c7ec1dae4eeb67b107d97ac\
    de6c8738d62bae36207fc57cb68cd931";

/// Two primes that are found in the hundredth round.
const LAST_ROUND: &str = "\
    c6874ca6231eceace02367167133560099e8d39d0fba43d263c9bec704ec63ab8a2b3d9b3c4394f02877a2fd062bed40\
    ed44d35b41daecdd8a3d99be93458abf802048e7273feef2e2e87426441a20cd8e3c24d1268efe292985a668b736a140\
    ff852b380754e6b1f1658c6fc000aad99f55740ef0facc5e9651c31ce69c8e13f079ffbfe26f55ef046daff8d21c2191\
    7c3a1e7f3a06afdc31e4722511f72494a0bc64124f421acba834e05db6dcf0d15c44644d19e09e1aa500c6cf74fd04c7\
    064d3baeeef6966d9b1b6fa4073455bdb52d238bba3ebbf03b5c60c0c1354b1e8531c157dc1a31c694fb4a272028ca20\
    8f4d5ca04d29b4b544972a2098735b4b";

/// Two primes that would be found in the 111th round.
const BEYOND_LAST_ROUND: &str = "\
    c6874ca6231eceace02367167133560099e8d39d0fba43d263c9bec704ec63ab8a2b3d9b3c4394f02877a2fd062bed40\
    ed44d35b41daecdd8a3d99be93458ac0c22dd4a30673af50598d9bb270c243d84a7262098fab0ea2b01159f5637317ae\
    02590b2f1145c80f5ce1c23bf3a93d876fa7dab7f5d133955ec7e08ed2bffe590698a7deeee33dd628825b2d0fd5f135\
    484bf83a0a059b9f660b23776cda5daaddddb6c337e071b83dff6525b4b0d88baf17d010998601e93f1a162fcbc62193\
    5943e386bb74c66d6ab3b1aad159e6bc544d83a9a4f1cce5547377e92457215151762dc17918bf256ff53c10a776a4f3\
    29de8ac2d97ddf04b7290e4ff764b79d";

/// Two primes of the form of CVE-2017-15361.
const ROCA: &str = "\
    acf5271f58abdb2e3501670d9123371f15c6cc192cf6e9061e0be67b3dc7dd76561cb41a1206ab2f3ffb8a411e376f4c\
    3ba4a5787594eb4b022fea0b0431cd746ac79ccd3f0d8a96168e361c79fe42753650a4c15dd95e6ffecaad4f9d4f8114\
    b38e4eb497b827ebcd29db8823530e5c6bec68f5b567913a9bcd861fdc701f2724b995744e581e99f0bca210389d7c35\
    9cecab44aca15ef5d17948bfb3088542f2fe1fe64ff34da44819036a9e1c35270807ee40c1cb3af8bd82df7c6eaeaae8\
    1efae72f02a51ef44ce3cb906856ba0504708ffbabb4c2db64c8a57b0425bd69916b1aa6556ab00035d2c3a56a78c636\
    3dae932fbaaccd643cfe1fa631aad159";

/// Two primes drawn at random.
const HONEST: &str = "\
    c97e762e650ec436687bc4950863470180daded6c972999e22a5078d660e19cd72aa382103cb7e1344009fcc0c574ebb\
    b15e2320e32880eb56055d191e30cb69f8f1fa655e48d59601b056c984dff338f93320d688fd17e8b408ff487451ff8d\
    1e8e3daa3cf466aee9f22165c03adabee800bf8a0b3ec11b93f8abbc6372f2d478f50a24fa1e1f1d4687acea23b24849\
    a74b29bd44d50a50fa7aff69d5e1a47887c2b73fa290b064e6d4e473bdcc611881356a1f84cea9b183d4f8411206fbbc\
    ac07dab10ae24600f7db93d05a13d43a5ed347b158984ccb80829a9660593b054f1a9066dd5297368d47b2097a5bd2a3\
    77597de410756b49c9f480196b080b79";
